"""The specialist: analyse, propose, weigh, implement, prove. See `persona.md` for what it promises."""

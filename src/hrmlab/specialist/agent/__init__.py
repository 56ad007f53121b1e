"""A language model in the place of the rules: it reads, proposes and sums up; gates judge, and it cannot touch them."""

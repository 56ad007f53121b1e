"""The reference implementations' checkpoints, configurations, classes and numbers, read and written.

HRM: github.com/sapientinc/HRM. TRM: github.com/SamsungSAILMontreal/TinyRecursiveModels. Only facts are taken from them
(names, formulas, orders of operations); what computes is `hrmlab.core`.
"""

"""The adapters: one small interface, its obligations in words, one contract suite that each of them passes."""

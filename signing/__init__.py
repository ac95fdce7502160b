"""Keys and signatures: one signer port, encrypted keystores, EIP-712 everywhere.

Stage: sealing, approving, verifying. Holds keys only inside a signer; decides nothing.
"""

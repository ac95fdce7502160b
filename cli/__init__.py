"""The `when-to-invest` command: arguments in, one clear answer or one clear error out."""

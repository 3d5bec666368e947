"""Seals as people see them: who is told of one, commands, REST."""

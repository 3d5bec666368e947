"""Asks a camera over RTSP what video it offers; nothing is played."""

"""The register (一机一档): devices, rooms, stations, projects, contractors; import and export."""

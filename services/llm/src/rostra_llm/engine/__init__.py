"""The process that generates: `loop` carries out what `scheduler` decides, by way of `rostra_llm.native`."""

"""What can be measured of what was said. Pure, and made for any transcript.

    segments     graphemes, words, sentences, the form in which texts are compared
    language     which language and script, and whether it is the right one
    repetition   of itself, and of what was said before
    speech       empty, cut off, in another's voice, showing the prompt
    stance       agrees, gives its side up; the question for a model that tells which way a turn leans
    persona      whether a debater stays who it is
    debate       all of it, turn by turn and as a whole

The guard asks the same functions about an attempt that a reader asks about a transcript.
"""

from rostra.measures.debate import DebateMeasures, TurnMeasures, measure

__all__ = ["DebateMeasures", "TurnMeasures", "measure"]

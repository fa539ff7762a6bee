"""What an OpenAI-compatible endpoint can and cannot do for debates, found out by asking it.

examining   the checks in their order, and the time they have
checks      what is asked, by theme
probes      whether each sampling option takes effect
dialects    which kind of server that makes it
report      what is told of it, and `page` as text
asking      the endpoint itself, over HTTP
"""

from rostra.doctor.examining import SECONDS, examine, served
from rostra.doctor.page import page
from rostra.doctor.report import EXIT, Report

__all__ = ["EXIT", "SECONDS", "Report", "examine", "page", "served"]

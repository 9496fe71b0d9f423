"""Many runs: their records in one SQLite file beside their directories, and what only many of them can show.

``tables`` is the layout, ``archive`` opens the file and adds runs, ``entries`` is what comes out of it; ``judged`` says
which cells are flaky and since when one is bad, ``trend`` what cost did over time: both are pure.
"""

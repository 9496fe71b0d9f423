"""Entry point of both test trees: ``pytest suites`` is a conformance run, ``pytest tests`` tests this project."""

pytest_plugins = ["fixtures.plugin", "fixtures.concluding"]

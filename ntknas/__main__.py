"""``python -m ntknas``."""

from ntknas.cli.main import main

if __name__ == "__main__":
    main()

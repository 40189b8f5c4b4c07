"""`python -m outsim` is the command line."""

from outsim.cli import main

if __name__ == "__main__":
    main()

"""`python3 -m webapp COMMAND`: sets itself up on first use, then runs the command."""

from webapp.bootstrap import main

if __name__ == "__main__":
    main()

"""The one exception for mistakes a user can mend: the command line prints it as one line and exits with 2."""


class UserError(Exception):
    """Something in the user's input is wrong; the message names it and says what to do."""

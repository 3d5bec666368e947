"""Finding cameras that nobody has written down yet; without a password, and at a modest pace.

    found        what is known of one of them
    pace         how fast addresses are asked
    looking      is there an ONVIF device at an address, and which?
    multicast    WS-Discovery: one question to all, answers bounded in number, size and time
    matches      the text of question and answer

Which networks may be searched is the caller's to say.
"""

"""Without a device everything runs in software: the extended return code and the counters say otherwise."""

import qatzip

with qatzip.Session() as session:
    session.compress_into(bytes(4096), bytearray(5000))
    total = session.handle.total_in
    print("hw_session_stat", session.state, "QZ_SW_EXECUTION", session.ran_in_software, "total_in", total)
    if session.hardware:
        print("skipped: a device is there")
    else:
        said = session.ran_in_software and total == 4096
        print("gone: it is said" if said else "shown: contract: QZ_SW_EXECUTION is clear, total_in counts nothing")

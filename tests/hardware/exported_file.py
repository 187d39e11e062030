"""This file is the exported file as others see it: read by PyNWB, and judged by its validator and by nwbinspector."""

import warnings

import numpy as np

with warnings.catch_warnings():
    # HDMF resets the filters when it is imported.
    warnings.simplefilter("ignore")
    import pynwb
    from nwbinspector import Importance, inspect_nwbfile


def opened(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pynwb.NWBHDF5IO(str(path), "r")


def rows(nwb, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nwb.processing["icephys"][name].to_dataframe()


def members(file, table, column):
    """Rows of the table below to which each row of an icephys table points."""
    group = file[f"general/intracellular_ephys/{table}"]
    return [part.tolist() for part in np.split(group[column][:], group[f"{column}_index"][:-1])]


def complaints(path):
    """What `pynwb.validate` and nwbinspector find, above a suggestion."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [str(error) for error in pynwb.validate(path=str(path))]
        told = list(inspect_nwbfile(nwbfile_path=str(path)))
    worse = [m for m in told if m.importance.value > Importance.BEST_PRACTICE_SUGGESTION.value]
    return found + [f"{m.importance.name} {m.check_function_name} {m.location}: {m.message}" for m in worse]

"""Solves a free MPS file of `market export` with HiGHS, as scipy has it, and prints times and optimum as JSON.

Usage: highs_solve.py FILE METHOD     (METHOD: highs-ds, highs-ipm)
"""
import json
import sys
import time

import numpy
from scipy.optimize import linprog
from scipy.sparse import csc_matrix


def read_mps(path):
    """The costs, matrix and right-hand sides of a minimisation with rows <= and columns >= 0."""
    rows, cost, row_of, column_of, value, limits = {}, [], [], [], [], []
    section, last = "", None
    with open(path) as lines:
        for line in lines:
            if line[0] == "*":
                continue
            field = line.split()
            if line[0] != " ":
                section = field[0]
            elif section == "ROWS" and field[0] == "L":
                rows[field[1]] = len(rows)
            elif section == "COLUMNS":
                if field[0] != last:
                    last = field[0]
                    cost.append(0.0)
                for at in range(1, len(field), 2):
                    if field[at] == "cost":
                        cost[-1] = float(field[at + 1])
                    else:
                        row_of.append(rows[field[at]])
                        column_of.append(len(cost) - 1)
                        value.append(float(field[at + 1]))
            elif section == "RHS":
                if not limits:
                    limits = [0.0] * len(rows)
                limits[rows[field[1]]] = float(field[2])
    matrix = csc_matrix((value, (row_of, column_of)), shape=(len(rows), len(cost)))
    return numpy.array(cost), matrix, numpy.array(limits)


def main():
    path, method = sys.argv[1:]
    start_cpu, start = time.process_time(), time.monotonic()
    cost, matrix, limits = read_mps(path)
    read_cpu, read = time.process_time(), time.monotonic()
    answer = linprog(cost, A_ub=matrix, b_ub=limits, bounds=(0, None), method=method)
    solve_cpu, solve = time.process_time(), time.monotonic()
    print(json.dumps({
        "objective": None if answer.fun is None else -answer.fun,
        "status": answer.message,
        "read_cpu": read_cpu - start_cpu, "read_wall": read - start,
        "solve_cpu": solve_cpu - read_cpu, "solve_wall": solve - read}))


main()

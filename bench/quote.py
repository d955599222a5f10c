"""Offers a second on one core of two numeric packages: a 12-instalment annuity with its schedule and annual rate.

Both compute what `fenqi bench quote` computes for one offer: twelve rows of interest and principal that sum to the
financed amount, and the internal rate of the cash flows as a yearly figure. Prints one line of JSON.
"""

import json
import time

import numpy
import numpy_financial
import QuantLib as ql

PRINCIPAL, RATE, COUNT = 3999.00, 0.086, 12
SECONDS = 2.0


def by_numpy_financial():
    periods = numpy.arange(COUNT) + 1
    interest = -numpy_financial.ipmt(RATE / 12, periods, COUNT, PRINCIPAL)
    principal = -numpy_financial.ppmt(RATE / 12, periods, COUNT, PRINCIPAL)
    flows = numpy.concatenate(([-PRINCIPAL], interest + principal))
    monthly = numpy_financial.irr(flows)
    return interest, principal, monthly * 12, (1 + monthly) ** 12 - 1


def by_quantlib():
    start = ql.Date(5, 1, 2026)
    schedule = ql.MakeSchedule(start, start + ql.Period(COUNT, ql.Months), ql.Period(ql.Monthly))
    # Equal payments: the balance of each period is what the annuity formula leaves.
    factor = (1 + RATE / 12) ** COUNT
    level = PRINCIPAL * RATE / 12 * factor / (factor - 1)
    balances, balance = [], PRINCIPAL
    for _ in range(COUNT):
        balances.append(balance)
        balance -= level - balance * RATE / 12
    counter = ql.Thirty360(ql.Thirty360.BondBasis)
    bond = ql.AmortizingFixedRateBond(0, balances, schedule, [RATE], counter)
    flows = [(flow.date(), flow.amount()) for flow in bond.cashflows()]
    annual = ql.CashFlows.yieldRate(bond.cashflows(), PRINCIPAL, counter, ql.Compounded, ql.Monthly, False, start, start)
    return flows, annual


def rate(function):
    function()
    since, count = time.perf_counter(), 0
    while time.perf_counter() - since < SECONDS:
        function()
        count += 1
    return count / (time.perf_counter() - since)


def main():
    ql.Settings.instance().evaluationDate = ql.Date(5, 1, 2026)
    print(json.dumps({"quantlib": rate(by_quantlib), "numpy_financial": rate(by_numpy_financial)}))


if __name__ == "__main__":
    main()

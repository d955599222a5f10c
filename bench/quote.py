"""What two numeric packages do in a second on one core, in processor time: a 12-instalment annuity.

`offers` is what `fenqi bench quote` computes for one offer: twelve rows of interest and principal that sum to the
financed amount, and the internal rate of the cash flows as a yearly figure. `schedules` and `annual_rates` are its
halves, as in `fenqi bench arithmetic`; the schedule of numpy-financial is `pmt`, `ipmt` and `ppmt`, each for all periods in one
call, and QuantLib's is the cash flows of an amortising bond, whose balances it is given; its yield is asked of the flows
of a bond that is there already. Prints one line of JSON.
"""

import json
import time

import numpy
import numpy_financial
import QuantLib as ql

PRINCIPAL, RATE, COUNT = 3999.00, 0.086, 12
SECONDS = 2.0


PERIODS = numpy.arange(COUNT) + 1
START = ql.Date(5, 1, 2026)


def schedule_by_numpy_financial():
    level = numpy_financial.pmt(RATE / 12, COUNT, PRINCIPAL)
    interest = -numpy_financial.ipmt(RATE / 12, PERIODS, COUNT, PRINCIPAL)
    principal = -numpy_financial.ppmt(RATE / 12, PERIODS, COUNT, PRINCIPAL)
    return level, interest, principal


def rate_by_numpy_financial(flows):
    monthly = numpy_financial.irr(flows)
    return monthly * 12, (1 + monthly) ** 12 - 1


def offer_by_numpy_financial():
    _, interest, principal = schedule_by_numpy_financial()
    return rate_by_numpy_financial(numpy.concatenate(([-PRINCIPAL], interest + principal)))


def bond_by_quantlib():
    schedule = ql.MakeSchedule(START, START + ql.Period(COUNT, ql.Months), ql.Period(ql.Monthly))
    # Equal payments: the balance of each period is what the annuity formula leaves.
    factor = (1 + RATE / 12) ** COUNT
    level = PRINCIPAL * RATE / 12 * factor / (factor - 1)
    balances, balance = [], PRINCIPAL
    for _ in range(COUNT):
        balances.append(balance)
        balance -= level - balance * RATE / 12
    counter = ql.Thirty360(ql.Thirty360.BondBasis)
    return ql.AmortizingFixedRateBond(0, balances, schedule, [RATE], counter), counter


def schedule_by_quantlib():
    bond, counter = bond_by_quantlib()
    return [(flow.date(), flow.amount()) for flow in bond.cashflows()]


def rate_by_quantlib(bond, counter):
    flows = bond.cashflows()
    return ql.CashFlows.yieldRate(flows, PRINCIPAL, counter, ql.Compounded, ql.Monthly, False, START, START)


def offer_by_quantlib():
    bond, counter = bond_by_quantlib()
    return [(flow.date(), flow.amount()) for flow in bond.cashflows()], rate_by_quantlib(bond, counter)


def rate(function):
    function()
    since, count = time.process_time(), 0
    while time.process_time() - since < SECONDS:
        function()
        count += 1
    return count / (time.process_time() - since)


def main():
    ql.Settings.instance().evaluationDate = START
    flows = numpy.concatenate(([-PRINCIPAL], numpy.full(COUNT, PRINCIPAL / COUNT + 14)))
    bond, counter = bond_by_quantlib()
    answer = {
        "quantlib": {
            "offers": rate(offer_by_quantlib),
            "schedules": rate(schedule_by_quantlib),
            "annual_rates": rate(lambda: rate_by_quantlib(bond, counter)),
        },
        "numpy_financial": {
            "offers": rate(offer_by_numpy_financial),
            "schedules": rate(schedule_by_numpy_financial),
            "annual_rates": rate(lambda: rate_by_numpy_financial(flows)),
        },
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()

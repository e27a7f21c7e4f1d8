#include "harness/spec/suite.h"

bool suite_budget_holds(const struct suite_budget *budget, double value, enum unit unit,
                        bool *ret_holds)
{
    if (unit != budget->unit)
        return false;
    switch (budget->op) {
    case BUDGET_LE:
        *ret_holds = value <= budget->value;
        break;
    case BUDGET_LT:
        *ret_holds = value < budget->value;
        break;
    case BUDGET_GE:
        *ret_holds = value >= budget->value;
        break;
    case BUDGET_GT:
        *ret_holds = value > budget->value;
        break;
    case BUDGET_EQ:
        *ret_holds = value == budget->value;
        break;
    }
    return true;
}

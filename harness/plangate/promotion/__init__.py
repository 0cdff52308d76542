"""From one environment to the next: plan, evidence, approvals, apply; every present state is a fold over the ledger."""

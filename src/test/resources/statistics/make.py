"""Statistics as scipy computes them, for StatisticsTest: python3 make.py > expected.json (scipy 1.17.1)."""
import json
import random

import numpy as np
from scipy import optimize, stats

random.seed(7)
n = 200
margins = [round(random.gauss(1, 2), 3) for _ in range(n)]
margins[3] = margins[7] = 0.0
x = [round(random.gauss(0, 1), 2) for _ in range(60)]
y = [round(a + random.gauss(0, 1), 1) for a in x]
m = np.array(margins)
p = 1 / (1 + np.exp(-m))


def log_loss(inverse):
    return float(np.mean(np.log1p(np.exp(-m * inverse))))


best = optimize.minimize_scalar(log_loss, bounds=(1e-3, 50), method="bounded", options={"xatol": 1e-13})
root = optimize.brentq(lambda b: float(np.sum(m / (1 + np.exp(m * b)))), 1e-6, 50, xtol=1e-15)
u = stats.mannwhitneyu(m, -m).statistic
wilson = {f"{k}/{t}": list(stats.binomtest(k, t).proportion_ci(0.95, "wilson")) for k, t in [(0, 5), (5, 5), (137, 200), (1, 3), (947, 1000)]}
mcnemar = {f"{a}/{b}": stats.binomtest(min(a, b), a + b).pvalue for a, b in [(3, 12), (40, 41), (100, 60)]}
print(json.dumps({
    "margins": margins, "x": x, "y": y,
    "wilson": wilson, "mcnemar": mcnemar,
    "auc": u / n**2,
    "brier": float(np.mean((1 - p) ** 2)),
    "log_loss": log_loss(1.0),
    "temperature": 1 / root,
    "fitted": log_loss(root),
    "tau_b": stats.kendalltau(x, y).statistic if hasattr(stats.kendalltau(x, y), "statistic") else stats.kendalltau(x, y)[0],
    "spearman": stats.spearmanr(x, y)[0],
    "mean": float(m.mean()), "deviation": float(m.std(ddof=1)), "median": float(np.median(m)),
}))

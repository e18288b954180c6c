"""Studies of the kernel itself: what theory says, checked on finite networks. One file each."""

STUDIES = {
    "constancy": "the relative change of the kernel while training, by width",
    "determinism": "the distance between kernels of independent initialisations, by width",
    "regression": "the trained network against three kernel predictors",
    "convergence": "the error of finite kernels to the one of infinite width, by width",
    "performance": "the trained network and its kernels as predictors, by nested cross-validation",
    "lazy": "scaled networks against their linearisation while training, by scale and width",
    "loss-bound": "the training loss against the smallest eigenvalue of the kernel",
}
"""The studies by name; ``ntknas study NAME`` runs one."""

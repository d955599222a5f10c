//! What staff do (运营): configuration, standing, limits, disputes, arrangements, and what two people decide.

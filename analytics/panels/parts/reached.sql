-- Which stages a notification reached, a bit each, see migration 0032; bit 31 where its event
-- occurred from `from` until `to`, bit 30 where before.
groupBitOr(
    s.reached + 1073741824 * (s.occurred < {from})
    + 2147483648 * (s.occurred >= {from} AND s.occurred < {to})
)

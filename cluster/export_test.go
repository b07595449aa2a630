package cluster

import "time"

// SupersededTime is how long a superseded session goes on.
const SupersededTime = supersededTime

// SetSkew has the node's clock on the wall be wrong by d, from its beginning on.
func (c *Config) SetSkew(d time.Duration) { c.skew = d }

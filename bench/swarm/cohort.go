package swarm

import (
	"github.com/stormwheel/stormwheel/internal/link"
)

// Cohort is a share of the clients that have a reconnect policy in common.
type Cohort struct {
	Policy link.Policy
	Share  int // in ten-thousandths
}

// WholeShare is the Share of all clients.
const WholeShare = 10_000

// cohort is the index of a client's cohort. On every node each has its share, to within a
// client.
func (c *Config) cohort(number int) int {
	left, of := c.Conns, WholeShare
	nodes := max(c.targets(), 1)
	// Deal one cohort after the other from those that are left; a client's place among them
	// takes the place of its number.
	at := number / nodes
	for node := range number % nodes {
		at += (c.Conns - node + nodes - 1) / nodes
	}
	for i, one := range c.Cohorts {
		k := (left*one.Share + of/2) / max(of, 1)
		before := at * k / max(left, 1)
		if (at+1)*k/max(left, 1) > before {
			return i
		}
		at, left, of = at-before, left-k, of-one.Share
	}
	return 0
}

// linkConfigs are those of the cohorts, one for all if there are none.
func (c *Config) linkConfigs(base link.Config) []link.Config {
	if len(c.Cohorts) == 0 {
		return []link.Config{base}
	}
	var all []link.Config
	for _, one := range c.Cohorts {
		of := base
		of.Policy = one.Policy
		all = append(all, of)
	}
	return all
}

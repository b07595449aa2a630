package scenario

import (
	"strconv"
	"strings"
	"time"
)

// What --node-arg says of the spawned nodes.

// defaultAdmitRate is what a node admits per second unless told otherwise (`serve
// --admit-rate`).
const defaultAdmitRate = 2000

// admitRate is what one spawned node admits per second.
func (c *Config) admitRate() float64 { return c.nodeRate("admit-rate", defaultAdmitRate) }

// nodeArg is the value of the last --node-arg of that name.
func (c *Config) nodeArg(name string) (value string, said bool) {
	for _, arg := range c.NodeArgs {
		if n, v, _ := strings.Cut(arg, "="); n == name {
			value, said = v, true
		}
	}
	return value, said
}

func (c *Config) nodeDuration(name string, otherwise time.Duration) time.Duration {
	value, _ := c.nodeArg(name)
	if d, err := time.ParseDuration(value); err == nil {
		return d
	}
	return otherwise
}

// nodeRate leaves it to the node to refuse what is no rate.
func (c *Config) nodeRate(name string, otherwise float64) float64 {
	value, _ := c.nodeArg(name)
	if rate, err := strconv.ParseFloat(value, 64); err == nil && rate > 0 && finite(rate) {
		return rate
	}
	return otherwise
}

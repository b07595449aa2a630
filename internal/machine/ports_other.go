//go:build !linux

package machine

import "time"

func portRange() (low, high int) { return 49_152, 65_535 }

// TimeWait is how long a port that this side has closed cannot be used again for the same
// server.
func TimeWait(bool) time.Duration { return time.Minute }

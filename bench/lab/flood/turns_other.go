//go:build !linux

package flood

import "time"

// threadTime is nothing here.
func threadTime() time.Duration { return 0 }

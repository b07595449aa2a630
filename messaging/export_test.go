package messaging

import "time"

// SetWall has the hub read the time of day from a test. It is called before Start.
func (h *Hub) SetWall(now func() time.Time) { h.wall = now }

// Defaults are those of a Config.
func Defaults() Config { return Config{}.withDefaults() }

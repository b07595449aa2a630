package messaging

import "time"

// SetWall has the hub read the time of day from a test. It is called before Start.
func (h *Hub) SetWall(now func() time.Time) { h.wall = now }

// Defaults are those of a Config.
func Defaults() Config { return Config{}.withDefaults() }

// UserHere is what this node alone knows of a user, its sessions apart.
func (h *Hub) UserHere(name string) UserState {
	st, _ := h.userKnown(name)
	return st
}

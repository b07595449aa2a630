package messaging

import "time"

// SetWall has the hub read the time of day from a test. It is called before Start.
func (h *Hub) SetWall(now func() time.Time) { h.wall = now }

// Defaults are those of a Config.
func Defaults() Config { return Config{}.WithDefaults() }

// UserHere is what this node alone knows of a user, its sessions apart.
func (h *Hub) UserHere(name string) UserState {
	st, _ := h.userKnown(name)
	return st
}

// Places is of how many users it is known where they are.
func (h *Hub) Places() (n int) {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.Lock()
		n += len(sh.placed)
		sh.mu.Unlock()
	}
	return n
}

// MaxPlaces is of how many users it is known at most: few, in tests.
const MaxPlaces = 3200

func init() { maxPlaces = MaxPlaces / shards }

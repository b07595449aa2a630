package messaging

import "sync/atomic"

// Stats are a hub's numbers, each as of the moment at which it was read.
type Stats struct {
	Users       int64  `json:"users"`        // that have a device online
	Devices     int64  `json:"devices"`      // sessions
	Rooms       int64  `json:"rooms"`        // that the node knows, with members or without
	Members     int64  `json:"members"`      // memberships of sessions in rooms
	Storing     int64  `json:"storing"`      // bytes that wait for the Store, as Config.MaxStoring counts
	Queued      int64  `json:"queued"`       // messages in the Store, delayed ones included; 0 if it has no Total
	QueuedBytes int64  `json:"queued_bytes"` // of them, as Bounds count
	StoreErrors uint64 `json:"store_errors"` // calls of the Store that failed; full queues are none
}

// counts are what a hub counts for Stats as it goes.
type counts struct {
	users, devices, members atomic.Int64
	storeErrors             atomic.Uint64
}

// Stats returns the hub's numbers. It reads counters, and asks the Store for its own if it has the method
// Total() (records int, bytes int64), as Bolt and Memory have; that must not block on a disk.
func (h *Hub) Stats() Stats {
	st := Stats{
		Users: h.counts.users.Load(), Devices: h.counts.devices.Load(), Members: h.counts.members.Load(),
		Rooms: h.held.Load(), Storing: h.storing.Load(), StoreErrors: h.counts.storeErrors.Load(),
	}
	if store, ok := h.cfg.Store.(interface{ Total() (int, int64) }); ok {
		records, bytes := store.Total()
		st.Queued, st.QueuedBytes = int64(records), bytes
	}
	return st
}

// storeFailed counts and logs a call of the Store that failed; about says which, as for a Logger.
func (h *Hub) storeFailed(about ...any) {
	h.counts.storeErrors.Add(1)
	h.cfg.Logger.Warn("the store failed", about...)
}

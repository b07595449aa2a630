//go:build !linux

package machine

import "runtime"

// Cgroup: there are none here.
func Cgroup() (limit int64, used func() (n int64, ok bool)) { return 0, nil }

// Resident is what the Go runtime has from the system, close enough.
func Resident() (n int64, ok bool) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased), true
}

// Memory is what the machine has, in bytes; 0: unknown.
func Memory() int64 { return 0 }

//go:build !linux

package server

import "runtime"

func memoryLimit() (limit int64, read func() (int64, bool)) { return 0, nil }

// residentBytes is what the Go runtime has from the system, close enough.
func residentBytes() (n int64, ok bool) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased), true
}

func machineMemory() int64 { return assumedMemory }

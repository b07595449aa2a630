//go:build !linux

package proc

import "errors"

var errUnknown = errors.New("the figures of processes are read from Linux's /proc only")

// Process is an error here.
func Process(int) (Use, error) { return Use{}, errUnknown }

// Resident is an error here.
func Resident(int) (int64, error) { return 0, errUnknown }

// Conns is an error here.
func Conns(int, uint16) (int, error) { return 0, errUnknown }

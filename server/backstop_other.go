//go:build !linux

package server

import "time"

const hasUserTimeout = false

func setUserTimeout(int, time.Duration) error { return nil }

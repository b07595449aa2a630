//go:build !linux

package client

import "time"

const hasUserTimeout = false

func setUserTimeout(int, time.Duration) error { return nil }

//go:build !linux

package live

import "os"

// Runs are for Linux.
type modes struct{}

func readModes(*os.File) *modes     { return nil }
func restoreModes(*os.File, *modes) {}
func forgetInput(*os.File)          {}
func inForeground(*os.File) bool    { return true }
func canBeWoken() bool              { return true }

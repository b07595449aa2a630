//go:build !linux

package child

import (
	"syscall"
	"time"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func withoutPreemption() (undo func()) { return func() {} }

func withSlack(time.Duration) (undo func()) { return func() {} }

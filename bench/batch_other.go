//go:build !linux

package bench

func withoutPreemption() func() { return func() {} }

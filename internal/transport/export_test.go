package transport

// Spared is how many bytes are kept for the next connections.
func (l *Lines) Spared() (room int) {
	for _, n := range l.spare {
		room += n.room()
	}
	return room
}

// Package relays tests rover front and rover proxy as processes of their own,
// between programs that know nothing of slots: an echo in this process, which runs
// everywhere, and Redis, PostgreSQL and nginx with their own clients, where those
// are installed (Debian: redis-server redis-tools postgresql postgresql-contrib
// nginx). They are killed, restarted and come back even.
package relays

package cloud

// userPoolInfo is one.userpool.info(). Beside the users are their quotas (a row of another table, since
// 4.6) and the default ones (UserPool::dump in src/um/UserPool.cc of each release).
func userPoolInfo(c *Cloud, r *request) answer {
	var b xmlBuffer
	b.open("USER_POOL")
	for _, id := range c.poolOrder(r, []int{AdminID, AliceID}) {
		b.user(id, c.cfg.User)
		if c.fam == f44 {
			b.quotas()
			b.end("USER")
			continue
		}
		b.end("USER")
		b.open("QUOTAS")
		b.number("ID", int64(id))
		b.quotas()
		b.end("QUOTAS")
	}
	b.open("DEFAULT_USER_QUOTAS")
	b.quotas()
	b.end("DEFAULT_USER_QUOTAS")
	b.end("USER_POOL")
	return success(b.String())
}

// userInfo is one.user.info(id), -1 for who asks: with the quotas of the user and the default ones, and here without a
// password (User::to_xml_extended; recorded with 6.10 and 7.4).
func userInfo(c *Cloud, r *request) answer {
	id := r.int(0)
	if id == -1 {
		id = r.uid
	}
	switch {
	case id != AdminID && id != AliceID:
		return r.missing("user", id)
	case id != r.uid && r.uid != AdminID:
		return r.denied(opUse, "USER", id)
	}
	var b xmlBuffer
	b.user(id, c.cfg.User)
	b.quotas()
	b.open("DEFAULT_USER_QUOTAS")
	b.quotas()
	b.end("DEFAULT_USER_QUOTAS")
	b.end("USER")
	return success(b.String())
}

// user writes a user without the end, before which 4.4 writes the quotas (User::to_xml_extended in src/um/User.cc).
func (b *xmlBuffer) user(id int, admin string) {
	gid, name, group := account(id, admin)
	b.open("USER")
	b.number("ID", int64(id))
	b.number("GID", int64(gid))
	b.ids("GROUPS", []int{gid})
	b.text("GNAME", group)
	b.text("NAME", name)
	b.text("AUTH_DRIVER", "core")
	b.number("ENABLED", 1)
	b.ids("TEMPLATE", nil)
}

// quotas writes empty quotas (Quotas::to_xml in src/um/Quotas.cc).
func (b *xmlBuffer) quotas() {
	for _, kind := range []string{"DATASTORE", "NETWORK", "VM", "IMAGE"} {
		b.ids(kind+"_QUOTA", nil)
	}
}

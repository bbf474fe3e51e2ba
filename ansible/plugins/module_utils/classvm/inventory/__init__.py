"""What an admin writes: inventories and the variables beside them, read before Ansible does, for the sake of its errors."""

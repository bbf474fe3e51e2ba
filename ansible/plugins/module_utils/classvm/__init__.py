"""classvm's logic: plain typed Python, used by the Ansible modules and tested without them."""

locals {
  # The start of every key of a store.
  roots = { for name, tenant in var.tenants : name => tenant.prefix == "" ? "" : "${tenant.prefix}/" }
}

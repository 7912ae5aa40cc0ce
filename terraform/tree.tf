locals {
  # What every key of a store begins with.
  roots = { for name, tenant in var.tenants : name => tenant.prefix == "" ? "" : "${tenant.prefix}/" }
}

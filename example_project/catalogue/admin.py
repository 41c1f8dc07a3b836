from django.contrib import admin

from etag_versioning.contrib.admin import VersionedAdmin

from .models import Product


@admin.register(Product)
class ProductAdmin(VersionedAdmin):
    list_display = ["sku", "name", "price", "stock"]
    list_editable = ["price", "stock"]
    search_fields = ["sku", "name"]
